/** One client in the storm, of whatever system. It comes back by its own rules whenever its connection is lost. */
export interface Member {
  readonly channel: string;
  /** Cuts its connection, and its network until `restore`. */
  cut(): void;
  restore(): void;
  close(): void;
}

export interface MemberEvents {
  /** It stands and has all that it had missed: once at the beginning, and again after each lost connection. */
  live(): void;
  /** The application got the message of this number. */
  message(seq: number): void;
  /** It gave up. */
  failed(error: Error): void;
}

export interface MemberOptions {
  readonly port: number;
  readonly channel: string;
}
