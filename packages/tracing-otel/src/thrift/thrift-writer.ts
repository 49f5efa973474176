/** A whole number of 64 bits, as two halves: ids do not fit into a number. */
export interface Int64 {
  readonly high: number;
  readonly low: number;
}

/** @param digits 16 hexadecimal ones */
export function int64OfHex(digits: string): Int64 {
  return { high: Number.parseInt(digits.slice(0, 8), 16), low: Number.parseInt(digits.slice(8), 16) };
}

/** @param value a whole number of up to 53 bits, positive or not */
export function int64Of(value: number): Int64 {
  return { high: Math.floor(value / 2 ** 32), low: value >>> 0 };
}

/** Types of fields that messages of Jaeger have. */
export type FieldType = 'bool' | 'i32' | 'i64' | 'double' | 'string' | 'struct' | 'list';

/**
 * Writes structs in one of the protocols of Thrift. Fields of a struct come in the order of their numbers; between `beginStruct` and
 * `endStruct` of a field come those of the struct within. https://thrift.apache.org/docs/idl
 */
export interface ThriftWriter {
  /** Begins a message that nobody answers. */
  oneway(method: string): void;
  beginStruct(): void;
  endStruct(): void;
  /** Announces a field that is a struct, which follows. */
  structField(id: number): void;
  /** Announces a field that is a list of so many structs, which follow. */
  listField(id: number, count: number): void;
  boolField(id: number, value: boolean): void;
  i32Field(id: number, value: number): void;
  i64Field(id: number, value: Int64): void;
  doubleField(id: number, value: number): void;
  stringField(id: number, value: string): void;
  /** What was written since the last time. */
  take(): Buffer;
}
