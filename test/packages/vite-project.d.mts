import type { Project } from "./workspace.d.mts";

/** Installs Vite of its own where `ownVite` says so, else takes that of this repository. */
export declare function tryVite(project: Project & { readonly ownVite?: boolean }): Promise<string>;
