/** What the protocols need of a schema, whichever library wrote it. */
interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

export interface Schema<Value> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: Value }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } }
}
