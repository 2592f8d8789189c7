/** A file of declarations. */
export type Declarations = { readonly file: string; readonly lines: readonly string[] };

/** The names that an entry of a package exports by name. */
export declare function exportedNames(file: string): ReadonlySet<string>;

/** Every file of declarations in a folder, as a list of lines. */
export declare function declarationsIn(folder: string): readonly Declarations[];

/** The names without a comment, such as `Client.rpc`, among those that `isVisible` says. */
export declare function undocumentedNames(
  declarations: Declarations,
  isVisible: (name: string) => boolean,
): string[];
