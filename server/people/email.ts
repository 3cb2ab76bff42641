/** The one form of an e-mail address that is stored and compared: `Ann@Example.COM ` is `ann@example.com`. */
export function normalEmail(entered: string): string | undefined {
  const email = entered.normalize("NFKC").trim().toLowerCase();
  return email.length <= 254 && SHAPE.test(email) ? email : undefined;
}

/** One @, a dot in the host, nothing that is invisible or that a mail header would be cut at. */
const SHAPE = /^[^\s@"<>(),:;\\[\]\p{C}]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?\.[\p{L}\p{N}-]{2,63}$/u;
