import { CODES, CODE_LENGTHS, EOS } from './huffman-code.js';

/** Half bytes: with 4 bits per step no step completes more than one symbol, because the shortest code has 5. */
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;

/** Bits of a transition: the low byte is the next state, the third byte the completed symbol. */
export const EMITS = 0x100;
export const FAILS = 0x200;
export const SYMBOL_SHIFT = 16;

/** Longest padding that is not a whole byte (RFC 7541, 5.2). */
const MAX_PADDING_BITS = 7;

interface Node {
  readonly children: [Node | undefined, Node | undefined];
  readonly depth: number;
  /** True when the way to it is 1-bits only: a prefix of EOS. */
  readonly isPadding: boolean;
  symbol: number;
  state: number;
}

function node(depth: number, isPadding: boolean): Node {
  return { children: [undefined, undefined], depth, isPadding, symbol: -1, state: -1 };
}

/** The code as a binary tree; returns its inner nodes, the root first, numbered as states. */
function innerNodes(): Node[] {
  const root = node(0, true);
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let at = root;
    for (let bit = CODE_LENGTHS[symbol] - 1; bit >= 0; bit--) {
      const branch = ((CODES[symbol] >>> bit) & 1) as 0 | 1;
      at = at.children[branch] ??= node(at.depth + 1, at.isPadding && branch === 1);
    }
    at.symbol = symbol;
  }
  const inner: Node[] = [root];
  for (let i = 0; i < inner.length; i++) {
    inner[i].state = i;
    for (const child of inner[i].children) if (child !== undefined && child.symbol < 0) inner.push(child);
  }
  return inner;
}

function transition(root: Node, from: Node, step: number): number {
  let at = from;
  let emitted = 0;
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    const next = at.children[((step >>> bit) & 1) as 0 | 1];
    if (next === undefined || next.symbol === EOS) return FAILS;
    at = next;
    if (next.symbol < 0) continue;
    emitted = EMITS | (next.symbol << SYMBOL_SHIFT);
    at = root;
  }
  return at.state | emitted;
}

/** Decodes the Huffman code half a byte at a time: `transitions[state * 16 + half byte]`. 16 KB, which stay in the first cache. */
interface HuffmanAutomaton {
  readonly transitions: Int32Array;
  /** 1 for the states in which a string may end: nothing or a valid padding is left. */
  readonly mayEnd: Uint8Array;
}

function buildAutomaton(): HuffmanAutomaton {
  const inner = innerNodes();
  const transitions = new Int32Array(inner.length * STEPS);
  for (const from of inner) {
    for (let step = 0; step < STEPS; step++) {
      transitions[from.state * STEPS + step] = transition(inner[0], from, step);
    }
  }
  const mayEnd = Uint8Array.from(inner, ({ isPadding, depth }) => (isPadding && depth <= MAX_PADDING_BITS ? 1 : 0));
  return { transitions, mayEnd };
}

/** The automaton, built once: it never changes. */
export const HUFFMAN_AUTOMATON: HuffmanAutomaton = buildAutomaton();
