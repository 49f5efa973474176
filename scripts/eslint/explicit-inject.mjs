/** Decorators of tsyringe that make the container construct a class. */
const CONTAINER_DECORATORS = new Set(['injectable', 'singleton', 'scoped', 'autoInjectable']);

/** Decorators of tsyringe that name the token of a constructor parameter. */
const TOKEN_DECORATORS = new Set(['inject', 'injectAll']);

/** The call behind a decorator, e.g. `inject(TOKEN)` of `@inject(TOKEN)`; undefined for a bare `@name`. */
function decoratorCall(decorator) {
  return decorator.expression.type === 'CallExpression' ? decorator.expression : undefined;
}

function decoratorName(decorator) {
  const callee = decoratorCall(decorator)?.callee ?? decorator.expression;
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier') return callee.property.name;
  return undefined;
}

function namesToken(decorator) {
  return TOKEN_DECORATORS.has(decoratorName(decorator)) && decoratorCall(decorator)?.arguments.length > 0;
}

function parameterName(parameter) {
  const target = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter;
  const pattern = target.type === 'AssignmentPattern' ? target.left : target;
  return pattern.type === 'Identifier' ? pattern.name : 'parameter';
}

/**
 * Every constructor parameter of a class that the container constructs names its token.
 *
 * Without `emitDecoratorMetadata` tsyringe cannot know the type of a parameter: it passes `undefined` and says nothing.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const explicitInject = {
  meta: {
    type: 'problem',
    docs: { description: 'require @inject(TOKEN) on every constructor parameter of a class made by the container' },
    schema: [],
    messages: {
      missing:
        "Parameter '{{name}}' of {{owner}} has no @inject(TOKEN): no decorator metadata is emitted, so the container would pass undefined.",
    },
  },
  create(context) {
    function check(node) {
      const decorated = (node.decorators ?? []).some((decorator) => CONTAINER_DECORATORS.has(decoratorName(decorator)));
      if (!decorated) return;
      const constructor = node.body.body.find(
        (member) =>
          member.type === 'MethodDefinition' &&
          member.kind === 'constructor' &&
          member.value.type === 'FunctionExpression', // overload signatures have no body and no decorators
      );
      for (const parameter of constructor?.value.params ?? []) {
        const decorators = [...(parameter.decorators ?? []), ...(parameter.parameter?.decorators ?? [])];
        if (decorators.some(namesToken)) continue;
        context.report({
          node: parameter,
          messageId: 'missing',
          data: { name: parameterName(parameter), owner: node.id?.name ?? 'a class' },
        });
      }
    }
    return { ClassDeclaration: check, ClassExpression: check };
  },
};
