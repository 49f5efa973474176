/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `${NAME||default}`, with `^^` (upper case) or `,,` (lower case) after the name; the syntax of go-archaius. */
const PLACEHOLDER = /\$\{([A-Za-z_]\w*)(\^\^|,,)?\|\|(.*?)\}/gs;

/** A reference without a default: go-archaius leaves it as text, and so do we. */
const WITHOUT_DEFAULT = /\$\{[A-Za-z_]\w*\}/;

/**
 * Fills placeholders from the environment. A variable that is empty or not set gives the default, which may be empty. The case
 * marks apply to the variable, not to the default.
 */
export function fillPlaceholders(text: string, env: Environment): string {
  if (!text.includes('${')) {
    return text;
  }
  return text.replace(PLACEHOLDER, (_whole, name: string, mark: string | undefined, fallback: string) => {
    const value = env[name];
    if (value === undefined || value === '') {
      return fallback;
    }
    return mark === '^^' ? value.toUpperCase() : mark === ',,' ? value.toLowerCase() : value;
  });
}

/** The first `${NAME}` without a default in the text. */
export function placeholderWithoutDefault(text: string): string | undefined {
  return WITHOUT_DEFAULT.exec(text)?.[0];
}
