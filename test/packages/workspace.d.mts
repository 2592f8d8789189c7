/** An empty project in a folder, the packages as files, and a gateway's address. */
export type Project = {
  readonly folder: string;
  readonly packages: readonly string[];
  readonly url: string;
};

/** The packages as files in a folder. They must have been built. */
export declare function packPackages(folder: string): Promise<string[]>;

/** What a project prints when all is well. */
export declare const ALL_WELL: string;
