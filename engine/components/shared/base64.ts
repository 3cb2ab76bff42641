const utf8 = new TextEncoder();

/** Base64 of a text's UTF-8 bytes (RFC 7617 §2.1 for sign-in with name and password). */
export const encodeBase64 = (text: string): string => btoa(String.fromCharCode(...utf8.encode(text)));
