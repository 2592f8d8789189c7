export declare function compileFile(
  path: string,
  code: string,
): { readonly fileName: string; readonly bytes: Buffer };

export declare function runCompiled(entry: string): unknown;
