/** The product's version; the same as in package.json, which a bundled agent does not carry. */
export const version = "0.1.0";
