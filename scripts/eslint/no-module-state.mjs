/** Collections that, created empty, only make sense when somebody fills them later. */
const COLLECTIONS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet']);

function withoutAssertion(expression) {
  let inner = expression;
  while (inner?.type === 'TSAsExpression' || inner?.type === 'TSSatisfiesExpression') inner = inner.expression;
  return inner;
}

function isEmptyContainer(expression) {
  const value = withoutAssertion(expression);
  if (value == null) return false;
  if (value.type === 'ArrayExpression') return value.elements.length === 0;
  if (value.type === 'ObjectExpression') return value.properties.length === 0;
  return (
    value.type === 'NewExpression' &&
    value.callee.type === 'Identifier' &&
    COLLECTIONS.has(value.callee.name) &&
    value.arguments.length === 0
  );
}

/** True for `readonly T[]`, `ReadonlyMap<...>`, `Readonly<...>`: a constant that is meant to stay empty. */
function isReadonlyType(annotation) {
  const type = annotation?.typeAnnotation;
  if (type === undefined) return false;
  if (type.type === 'TSTypeOperator') return type.operator === 'readonly';
  return (
    type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name.startsWith('Readonly')
  );
}

/**
 * A module holds no state: two chassis in one process must not see each other, and a test must start from nothing.
 * Reports `let` and `var` at module level, constants that begin as an empty container, and static fields that can change.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const noModuleState = {
  meta: {
    type: 'problem',
    docs: { description: 'forbid mutable state at module level' },
    schema: [],
    messages: {
      binding:
        "'{{kind}}' at module level is state shared by every chassis of the process; keep it in an object that the chassis owns.",
      container:
        "'{{name}}' starts empty at module level, so it can only be filled later: state shared by every chassis. Keep it in an object that the chassis owns.",
      static:
        "Static field '{{name}}' can change, so it is shared state; make it readonly or move it into an instance.",
    },
  },
  create(context) {
    return {
      ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration'(node) {
        if (node.declare) return;
        if (node.kind === 'let' || node.kind === 'var') {
          context.report({ node, messageId: 'binding', data: { kind: node.kind } });
          return;
        }
        for (const declarator of node.declarations) {
          if (declarator.id.type !== 'Identifier' || isReadonlyType(declarator.id.typeAnnotation)) continue;
          if (!isEmptyContainer(declarator.init)) continue;
          context.report({ node: declarator, messageId: 'container', data: { name: declarator.id.name } });
        }
      },
      'PropertyDefinition[static=true][readonly=false]'(node) {
        const name = node.key.type === 'PrivateIdentifier' ? `#${node.key.name}` : context.sourceCode.getText(node.key);
        context.report({ node, messageId: 'static', data: { name } });
      },
    };
  },
};
