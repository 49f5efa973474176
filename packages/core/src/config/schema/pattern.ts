import { compilePattern, PatternError } from '../../routing/pattern.js';
import { Refusal, ScalarSchema, type ScalarFormat } from './scalar.js';
import type { Notes, Schema } from './schema.js';

const FORMAT: ScalarFormat<string> = {
  typeName: 'regular expression',
  parse(text) {
    try {
      compilePattern(text);
      return text;
    } catch (error) {
      if (error instanceof PatternError)
        return new Refusal(`a regular expression as RE2 and Go know it: ${error.message}`);
      throw error;
    }
  },
  jsonSchema: { type: ['string', 'number', 'boolean', 'null'], format: 'regex' },
};

/** A regular expression; gives its text. One that does not compile is a mistake in the configuration. */
export function patternSchema(notes: Notes): Schema<string | undefined> {
  return new ScalarSchema(FORMAT, notes, {});
}
