/**
 * Calls `visit(node, specifier)` for every way in which a file can name another module: import, export from, `import()`,
 * `import('x')` types and `require()`. A specifier that is not a literal is left out.
 *
 * @param {(node: object, specifier: string) => void} visit
 * @returns {import('eslint').Rule.RuleListener}
 */
export function onModuleSpecifier(visit) {
  const visitSource = (node, source) => {
    if (source?.type === 'Literal' && typeof source.value === 'string') visit(node, source.value);
  };
  return {
    ImportDeclaration: (node) => visitSource(node, node.source),
    ExportNamedDeclaration: (node) => visitSource(node, node.source),
    ExportAllDeclaration: (node) => visitSource(node, node.source),
    ImportExpression: (node) => visitSource(node, node.source),
    TSImportType: (node) => visitSource(node, node.source),
    CallExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') visitSource(node, node.arguments[0]);
    },
  };
}
