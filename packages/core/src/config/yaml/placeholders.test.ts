import { expect } from 'chai';
import { fillPlaceholders, placeholderWithoutDefault } from './placeholders.js';

describe('fillPlaceholders', () => {
  const env = { NAME: 'Orders', EMPTY: '', PORT: '8080', X: 'x', OTHER: '${NAME||z}' };

  it('takes the variable, or the default when it is empty or not set', () => {
    expect(fillPlaceholders('${NAME||a}', env)).to.equal('Orders');
    expect(fillPlaceholders('${EMPTY||a}', env)).to.equal('a');
    expect(fillPlaceholders('${MISSING||a}', env)).to.equal('a');
    expect(fillPlaceholders('${MISSING||}', env)).to.equal('');
    expect(fillPlaceholders('${X||a}', env)).to.equal('x');
  });

  it('fills several in one text', () => {
    expect(fillPlaceholders('http://${HOST||127.0.0.1}:${PORT||80}/', env)).to.equal('http://127.0.0.1:8080/');
  });

  it('changes the case of the variable, not of the default', () => {
    expect(fillPlaceholders('${NAME^^||a}', env)).to.equal('ORDERS');
    expect(fillPlaceholders('${NAME,,||a}', env)).to.equal('orders');
    expect(fillPlaceholders('${MISSING^^||Abc}', env)).to.equal('Abc');
  });

  it('leaves everything else as text', () => {
    for (const text of ['${NAME}', '$NAME', '${1A||b}', '${NA-ME||b}', '{NAME||b}', '${NAME||b']) {
      expect(fillPlaceholders(text, env)).to.equal(text);
    }
  });

  it('does not fill what a variable holds', () => {
    expect(fillPlaceholders('${OTHER||a}', env)).to.equal('${NAME||z}');
  });
});

describe('placeholderWithoutDefault', () => {
  it('finds a reference that is left as text', () => {
    expect(placeholderWithoutDefault('a ${NAME} b')).to.equal('${NAME}');
    expect(placeholderWithoutDefault('a ${NAME||x} b')).to.equal(undefined);
  });
});
