import type { Ports } from '../../ports/ports.js';
import type { Logger } from '../logger.js';
import type { SpanRecord } from './span-record.js';

/** What an exporter is opened with. */
export interface ExporterSettings {
  /** Where spans go, as the user wrote it; undefined for the place where the collector is by default. */
  readonly uri: string | undefined;
  /** Milliseconds that one batch may take. */
  readonly timeoutMs: number;
  /** Name of the service whose spans these are. */
  readonly service: string;
  /** Tags that every span of this process has. */
  readonly tags: ReadonlyMap<string, string>;
  /** Further settings below `tracing.settings`. */
  readonly more: ReadonlyMap<string, string>;
  readonly logger: Logger;
  readonly ports: Ports;
}

/** A connection with a collector of spans. */
export interface SpanExporter {
  /** Rejects when the collector did not take the batch; it is not offered again. */
  export(spans: readonly SpanRecord[]): Promise<void>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What a plugin of the kind `span-exporter` makes: libraries are loaded when it is opened, which is when tracing is on. */
export interface SpanExporterFactory {
  /** What is wrong with these settings, or undefined; asked before they take effect. */
  check?(settings: Pick<ExporterSettings, 'uri' | 'more'>): string | undefined;
  open(settings: ExporterSettings): Promise<SpanExporter>;
}
