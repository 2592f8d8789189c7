export declare function compileFile(path: string, code: string): Buffer;

export declare function runCompiled(entry: string): unknown;
