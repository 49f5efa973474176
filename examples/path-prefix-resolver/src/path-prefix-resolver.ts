import { definePlugin, s } from '@mesher/core';

const prefix = s.string({ required: true, pattern: /^\//, expectation: "a path that starts with '/'" });
const route = s.object({ prefix, service: s.string({ required: true, doc: 'Service that gets these calls.' }) });
const settings = s.object({ routes: s.list(route, { default: [], doc: 'The longest prefix that fits decides.' }) });

/** `path-prefix`: the beginning of the path says which service a call is for, as behind an API gateway; the host says nothing. */
export const pathPrefixResolver = definePlugin({
  kind: 'destination-resolver',
  name: 'path-prefix',
  configSchema: settings,
  create: ({ routes }) => {
    const longestFirst = [...routes].sort((a, b) => b.prefix.length - a.prefix.length);
    return { resolve: ({ path }) => longestFirst.find(({ prefix }) => path.startsWith(prefix)) };
  },
});
