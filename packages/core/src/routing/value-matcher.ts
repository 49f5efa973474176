import { PathTemplate } from './path-template.js';
import { compilePattern } from './pattern.js';

/** What a value is compared with; all that are given must hold. The names are those of go-chassis, java-chassis and a few of ours. */
export interface Operators {
  readonly exact?: string | undefined;
  readonly noEqu?: string | undefined;
  readonly noEqual?: string | undefined;
  readonly contains?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly regex?: string | undefined;
  readonly template?: string | undefined;
  readonly less?: number | undefined;
  readonly noLess?: number | undefined;
  readonly greater?: number | undefined;
  readonly noGreater?: number | undefined;
  readonly compare?: string | undefined;
  readonly exists?: boolean | undefined;
  readonly caseInsensitive?: boolean | undefined;
}

/** One comparison. */
interface Test {
  readonly text: string;
  /** Whether it holds for a value that is not there. */
  readonly withoutValue: boolean;
  holds(value: string): boolean;
}

const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
const COMPARISON = /^\s*(>=|<=|==|!=|=|!|>|<)\s*([+-]?\d+(?:\.\d+)?)\s*$/;

/** What is wrong with the text of `compare`, or undefined. */
export function comparisonProblem(text: string): string | undefined {
  return COMPARISON.test(text)
    ? undefined
    : `compare expects an operator and a number, such as '>=10', found '${text}'`;
}

/** Comparisons of one value, compiled. Without any it holds for every value that is there. */
export class ValueMatcher {
  readonly #tests: readonly Test[];
  readonly #withoutValue: boolean;
  readonly #fold: boolean;

  constructor(operators: Operators) {
    this.#fold = operators.caseInsensitive === true;
    this.#tests = testsOf(operators, this.#fold);
    this.#withoutValue = this.#tests.length > 0 && this.#tests.every(({ withoutValue }) => withoutValue);
  }

  /** @param value undefined when it is not there: then only `noEqu` and `exists: false` hold */
  matches(value: string | undefined): boolean {
    if (value === undefined) return this.#withoutValue;
    const folded = this.#fold ? value.toLowerCase() : value;
    for (const test of this.#tests) if (!test.holds(folded)) return false;
    return true;
  }

  /** `exact jason`, as messages have it. */
  toString(): string {
    const text = this.#tests.length === 0 ? 'any value' : this.#tests.map((test) => test.text).join(' and ');
    return this.#fold ? `${text} (in any case)` : text;
  }
}

function testsOf(operators: Operators, fold: boolean): Test[] {
  const tests: Test[] = [];
  const add = (text: string, holds: (value: string) => boolean, withoutValue = false): void => {
    tests.push({ text, holds, withoutValue });
  };
  const texts: readonly (readonly [keyof Operators, (value: string, wanted: string) => boolean])[] = [
    ['exact', (value, wanted) => value === wanted],
    ['contains', (value, wanted) => value.includes(wanted)],
    ['prefix', (value, wanted) => value.startsWith(wanted)],
    ['suffix', (value, wanted) => value.endsWith(wanted)],
  ];
  for (const [name, holds] of texts) {
    const wanted = operators[name];
    if (typeof wanted !== 'string') continue;
    const folded = fold ? wanted.toLowerCase() : wanted;
    add(`${name} '${wanted}'`, (value) => holds(value, folded));
  }
  const { noEqu = operators.noEqual, regex, template, compare, exists } = operators;
  if (noEqu !== undefined) {
    const folded = fold ? noEqu.toLowerCase() : noEqu;
    // What is not there was an empty text in go-chassis: there, this asks for any value.
    add(`noEqu '${noEqu}'`, (value) => value !== folded, noEqu !== '');
  }
  if (regex !== undefined) {
    const pattern = compilePattern(regex, fold);
    add(`regex '${regex}'`, (value) => pattern.matches(value));
  }
  if (template !== undefined) {
    const path = new PathTemplate(fold ? template.toLowerCase() : template);
    add(`template '${template}'`, (value) => path.matches(value));
  }
  addNumbers(operators, add);
  if (compare !== undefined) addComparison(compare, add);
  if (exists !== undefined) add(exists ? 'present' : 'absent', () => exists, !exists);
  return tests;
}

type Add = (text: string, holds: (value: string) => boolean) => void;

function addNumbers(operators: Operators, add: Add): void {
  const numbers: readonly (readonly [keyof Operators, (value: number, bound: number) => boolean])[] = [
    ['less', (value, bound) => value < bound],
    ['noLess', (value, bound) => value >= bound],
    ['greater', (value, bound) => value > bound],
    ['noGreater', (value, bound) => value <= bound],
  ];
  for (const [name, holds] of numbers) {
    const bound = operators[name];
    if (typeof bound === 'number') add(`${name} ${bound}`, (value) => isNumber(value) && holds(Number(value), bound));
  }
}

function addComparison(text: string, add: Add): void {
  const [, operator = '=', number = '0'] = COMPARISON.exec(text) ?? [];
  const bound = Number(number);
  const holds: Readonly<Record<string, (value: number) => boolean>> = {
    '>=': (value) => value >= bound,
    '<=': (value) => value <= bound,
    '>': (value) => value > bound,
    '<': (value) => value < bound,
    '!': (value) => value !== bound,
    '!=': (value) => value !== bound,
  };
  const compare = holds[operator] ?? ((value: number) => value === bound);
  add(`compare ${operator}${bound}`, (value) => isNumber(value) && compare(Number(value)));
}

function isNumber(value: string): boolean {
  return DECIMAL.test(value);
}
