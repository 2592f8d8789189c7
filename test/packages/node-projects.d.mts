import type { Project } from "./workspace.d.mts";

/** `import` and top-level await. */
export declare function tryNodeImport(project: Project): Promise<string>;

/** `require`, which Node has for such packages since 20.19. */
export declare function tryNodeRequire(project: Project): Promise<string>;
