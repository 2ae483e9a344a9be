/** What a proxy is started with. */
export interface Setup {
  /** Its own: configuration, logs and whatever else it writes. */
  readonly folder: string;
  /** A loopback address to listen on, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Demanded from clients when given. */
  readonly credentials?: Credentials | undefined;
  /** A file with certificate and key in PEM: speak TLS with clients. */
  readonly pemFile?: string | undefined;
  /** The ports of targets that clients may reach. */
  readonly allowedPorts: readonly number[];
  /** The ports of targets that clients must not reach. */
  readonly forbiddenPorts: readonly number[];
  /** The proxy behind this one, for software that only stands in front of another. */
  readonly upstream?: { readonly host: string; readonly port: number } | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** The password as crypt(3) hashes it. */
  readonly hash: string;
}

/** How to start it in the foreground. */
export interface Launch {
  readonly args: readonly string[];
  /** Written into the folder first, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** It reads what only root may, and gives its rights up by itself. Otherwise it starts without. */
  readonly asRoot?: boolean;
}

/** A proxy that Debian packages. */
export interface Software {
  readonly name: string;
  readonly debianPackage: string;
  readonly executable: string;
  launch(setup: Setup): Launch;
}

/** An address and a port as configuration files write them. */
export function endpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Lines of a configuration; what is undefined is left out. */
export function lines(...all: readonly (string | undefined)[]): string {
  return `${all.filter((line) => line !== undefined).join('\n')}\n`;
}
