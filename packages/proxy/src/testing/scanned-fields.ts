import { expect } from 'chai';
import { FieldScanner, MALFORMED, type ScanResult } from '../http1/field-scanner.js';
import { bytesOf } from './split-heads.js';

/** Most fields that the scanners here take. */
export const MAX_FIELDS = 16;

/** Scans a section as it stands. */
export function scanOf(section: string): FieldScanner & { readonly result: ScanResult } {
  const scanner = new FieldScanner(MAX_FIELDS);
  const bytes = bytesOf(section);
  const result = scanner.scan(bytes, 0, bytes.length);
  return Object.assign(scanner, { result });
}

/** Scans a section with the lines given, and a byte in front, since a header section never starts a message. */
export function fields(...lines: string[]): FieldScanner & { readonly result: ScanResult; readonly kept: string } {
  const section = `${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  const scanner = new FieldScanner(MAX_FIELDS);
  const bytes = bytesOf(`\n${section}`);
  const result = scanner.scan(bytes, 1, bytes.length);
  let kept = '';
  let from = 1;
  for (let i = 0; i < scanner.cutCount; i += 2) {
    kept += bytes.toString('latin1', from, scanner.cuts[i]);
    from = scanner.cuts[i + 1];
  }
  kept += bytes.toString('latin1', from, bytes.length - 2);
  return Object.assign(scanner, { result, kept });
}

/** @param problem part of what the scanner says about a section that consists of `line` */
export function expectMalformed(line: string, problem: string): void {
  const scan = fields(line);
  expect(scan.result, JSON.stringify(line)).to.equal(MALFORMED);
  expect(scan.problem, JSON.stringify(line)).to.contain(problem);
}
