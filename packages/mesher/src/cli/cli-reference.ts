import type { Argument, Command } from 'commander';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

/** The reference page of the command line, made from its declaration. */
export function renderCliReference(): string {
  const program = createProgram(() => {});
  const lines = ['# Command line', '', 'Generated from the declaration of the commands; do not edit.', ''];
  describe(program, 'mesher', lines);
  lines.push('## Exit status', '', '| status | meaning |', '| --- | --- |');
  const meanings: Readonly<Record<keyof typeof EXIT, string>> = {
    ok: 'ended as asked',
    failed: 'failed while running (a port in use, for example)',
    usage: 'wrong command line; what was wrong and an example are printed',
    configuration: 'wrong configuration; every mistake is printed with file and line',
    notIntercepted: '`intercept verify`: the rules do not hold; what is missing is printed',
  };
  for (const [name, code] of Object.entries(EXIT)) lines.push(`| ${code} | ${meanings[name as keyof typeof EXIT]} |`);
  return `${lines.join('\n')}\n`;
}

function describe(command: Command, path: string, lines: string[]): void {
  const usage = command.registeredArguments.map(argumentText).join('');
  lines.push(`## \`${path}${usage}\``, '', `${sentence(command.description())}`, '');
  for (const argument of command.registeredArguments) {
    const fallback = argument.defaultValue === undefined ? '' : ` Default: \`${String(argument.defaultValue)}\`.`;
    lines.push(`- \`${argument.name()}\`: ${argument.description}.${fallback}`, '');
  }
  if (command.options.length > 0) {
    lines.push('| option | environment | default | meaning |', '| --- | --- | --- | --- |');
    for (const option of command.options.filter(({ hidden }) => !hidden)) {
      const env = option.envVar === undefined ? '' : `\`${option.envVar}\``;
      const fallback = option.defaultValue === undefined ? '' : `\`${String(option.defaultValue)}\``;
      lines.push(`| \`${option.flags}\` | ${env} | ${fallback} | ${option.description} |`);
    }
    lines.push('');
  }
  for (const sub of command.commands) describe(sub, `${path} ${sub.name()}`, lines);
}

function argumentText(argument: Argument): string {
  return argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
