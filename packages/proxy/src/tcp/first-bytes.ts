/**
 * Looks at the first bytes of a client. `taken`: they are HTTP/1, and the client's socket has another owner now. `passed`: they are
 * something else. `unclear`: more are needed to tell.
 */
export type FirstBytes = (bytes: Buffer) => 'taken' | 'passed' | 'unclear';
