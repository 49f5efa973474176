// From linux/in.h, linux/in6.h and netfilter: the numbers are part of the kernel's stable interface.
export const SOL_IP = 0;
export const SOL_IPV6 = 41;
/** Of both levels. */
export const SO_ORIGINAL_DST = 80;
export const IP_TRANSPARENT = 19;
export const IPV6_TRANSPARENT = 75;

/** The int 1 in the order of bytes of this machine. */
export const ON: Uint8Array = new Uint8Array(new Int32Array([1]).buffer);
