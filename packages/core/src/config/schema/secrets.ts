/** Keys whose values are never shown, wherever they stand and whoever declared them. */
const SECRET_KEY = /secret|password|passwd|passphrase|token|accesskey|apikey|privatekey|certpwdfile/i;

/** User name and password inside a URL. */
const URL_USERINFO = /(\w:\/\/)[^\s/@]+@/g;

/** True when the last part of the key is named like a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.slice(key.lastIndexOf('.') + 1));
}

/** Hides user names and passwords in URLs. */
export function maskText(text: string): string {
  return text.replace(URL_USERINFO, '$1***@');
}

/** The value in quotes as a message shows it: secrets hidden, long texts cut. */
export function quoteValue(text: string, secret: boolean): string {
  if (secret) {
    return 'a hidden value';
  }
  const shown = maskText(text);
  return shown.length > LONGEST_QUOTE ? `'${shown.slice(0, LONGEST_QUOTE)}…'` : `'${shown}'`;
}

/** Enough to recognise a value; a whole YAML block in a message would hide the message. */
const LONGEST_QUOTE = 60;
