export declare function entrypointOf(dockerfile: string): string[];
