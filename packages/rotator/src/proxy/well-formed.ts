/** Half a character has no UTF-8: neither a URL nor the wire can carry it. */
export const loneSurrogate = /\p{Surrogate}/u;
