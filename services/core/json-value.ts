/**
 * What a JSON text says, with every number as its source text: `1.50` becomes `"1.50"`, `9e-7`
 * becomes `"9e-7"`. A string and a number of the same characters therefore look the same; a caller
 * that must tell them apart cannot use this. Venues whose prices are bare numbers can: nothing is
 * rounded and no zero is lost.
 */
export type JsonText =
  | string
  | boolean
  | null
  | readonly JsonText[]
  | { readonly [key: string]: JsonText };
