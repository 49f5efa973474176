/** The largest window (RFC 9113, 6.9.1). */
export const MAX_WINDOW = 0x7fff_ffff;
/** Windows of both levels until SETTINGS or WINDOW_UPDATE say otherwise (RFC 9113, 6.9.2). */
export const DEFAULT_WINDOW = 65_535;
