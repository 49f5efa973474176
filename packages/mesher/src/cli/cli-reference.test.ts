import { expect } from 'chai';
import { renderCliReference } from './cli-reference.js';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

describe('the reference page of the command line', () => {
  const page = renderCliReference();

  it('has a row with variable and default for every option of every command', () => {
    const program = createProgram(() => {});
    const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
    const options = commands.flatMap((command) => command.options).filter(({ hidden }) => !hidden);
    expect(options.length).to.be.greaterThan(5);
    for (const { flags, description, envVar, defaultValue } of options) {
      const rows = page.split('\n').filter((line) => line.startsWith(`| \`${flags}\` |`));
      const row = rows.find((line) => line.includes(description));
      expect(row, `${flags}: ${description}`).to.be.a('string');
      if (envVar !== undefined) expect(row).to.include(`\`${envVar}\``);
      if (defaultValue !== undefined) expect(row).to.include(`\`${String(defaultValue)}\``);
    }
  });

  it('has a heading for every command, with its arguments', () => {
    expect(page.match(/^## `.*`$/gm)).to.deep.equal([
      '## `mesher`',
      '## `mesher config`',
      '## `mesher config check [dir]`',
      '## `mesher config diff <dir> [other]`',
      '## `mesher schema`',
      '## `mesher explain <method> <url>`',
      '## `mesher registry`',
      '## `mesher intercept <action>`',
      '## `mesher transparent`',
      '## `mesher transparent list`',
      '## `mesher transparent connections`',
      '## `mesher transparent explain <destination>`',
      '## `mesher demo`',
    ]);
    expect(page).to.match(/- `dir`: .* Default: `conf`\./);
  });

  it('explains every exit status', () => {
    for (const code of Object.values(EXIT)) expect(page).to.match(new RegExp(`^\\| ${code} \\| \\S.* \\|$`, 'm'));
  });

  it('is text of whole sentences that ends with a newline', () => {
    expect(page).to.match(/\n$/).and.not.to.match(/\n\n$/);
    expect(page).not.to.match(/undefined|\[object/);
    expect(page).to.include('Check a configuration folder; exits 0 when it is good, 3 when not.');
  });
});
