/** Which package may import which. Nothing imports upward, nothing imports sideways but through core. */
export const ARROWS = {
  core: [],
  proxy: ['core'],
  'resolver-host': ['core'],
  'registry-file': ['core'],
  'registry-servicecenter': ['core'],
  'registry-pilot': ['core'],
  'registry-consul': ['core'],
  'registry-kubernetes': ['core'],
  'config-kie': ['core'],
  'limiter-redis': ['core'],
  health: ['core'],
  'tracing-otel': ['core'],
  statsd: ['core'],
  profiling: ['core'],
  client: ['core'],
  admin: ['core'],
  intercept: ['core'],
  injector: ['core'],
  // `mesher` is the composition root: it may import all.
};

const SLOW_TO_LOAD = 'it costs memory and start-up time, so only the part that needs it may load it.';

/** Libraries and Node modules that have one home. */
export const HOMES = [
  {
    module: 'node:http2',
    in: ['tests', 'e2e/', 'bench/'],
    because: 'it is a test oracle; the data plane has its own HTTP/2 core.',
  },
  {
    module: 'node:http',
    in: [
      'packages/proxy/src/http1/local-reply.ts', // for STATUS_CODES, the reason phrases
      'tests',
      'e2e/',
      'bench/',
      'examples/',
      'packages/admin/',
      'packages/mesher/',
      'packages/client/',
      'packages/config-kie/', // for the agent that axios keeps connections with
      'packages/registry-servicecenter/', // for the same, and for the registry that `mesher registry` starts
      'packages/registry-consul/', // for the agent that npm consul keeps connections with
      'packages/health/',
      'packages/profiling/', // for the port of profiles
      'packages/tracing-otel/src/jaeger/', // for spans to collectors
      'packages/core/src/telemetry/tracing/remote/', // for the server that says what is sampled
    ],
    because: 'the data plane reads HTTP/1 from the socket; node:http is for the admin port, the demo and tests.',
  },
  {
    module: 'node:https',
    in: [
      'tests',
      'e2e/',
      'bench/',
      'examples/',
      'packages/client/',
      'packages/config-kie/',
      'packages/registry-servicecenter/',
      'packages/registry-consul/',
      'packages/health/',
      'packages/tracing-otel/src/jaeger/',
      'packages/core/src/telemetry/tracing/remote/',
    ],
    because: 'the data plane reads HTTP/1 from the socket.',
  },
  {
    module: 'tsyringe',
    in: [
      'packages/core/src/chassis',
      'packages/core/src/plugin/',
      'packages/core/src/composition/',
      'packages/mesher/',
    ],
    because: 'the container lives in the composition root; inner classes take plain arguments.',
  },
  {
    module: 'reflect-metadata',
    in: [
      'packages/core/src/index.ts',
      'packages/core/src/chassis',
      'packages/core/src/plugin/',
      'packages/core/src/composition/',
      'packages/mesher/',
    ],
    because: 'only tsyringe needs it.',
  },
  { module: 'opossum', in: ['packages/core/src/resilience/'], because: 'its sharp edges are wrapped there.' },
  { module: 'convict', in: ['packages/core/src/config/'], because: 'it reads the bootstrap settings, nothing else.' },
  {
    module: 'yaml',
    in: ['packages/core/src/config/', 'tests'],
    because: 'files are read by the one loader, with positions.',
  },
  { module: 'prom-client', in: ['packages/core/src/telemetry/'], because: SLOW_TO_LOAD },
  { module: 'commander', in: ['packages/mesher/'], because: 'only the command has a command line.' },
  { module: 'pino', in: ['packages/mesher/'], because: 'a library logs through the Logger that it is given.' },
  {
    module: 'axios',
    in: [
      'tests',
      'e2e/',
      'packages/registry-servicecenter/',
      'packages/registry-pilot/',
      'packages/config-kie/',
      'packages/health/',
      'packages/client/',
    ],
    because: SLOW_TO_LOAD,
  },
  { module: 'undici', in: ['tests', 'e2e/', 'bench/', 'packages/client/'], because: SLOW_TO_LOAD },
  {
    module: '@grpc/grpc-js',
    in: ['tests', 'e2e/', 'bench/', 'packages/registry-pilot/', 'packages/health/', 'packages/client/'],
    because: SLOW_TO_LOAD,
  },
  { module: 'ws', in: ['tests', 'e2e/', 'packages/registry-servicecenter/'], because: SLOW_TO_LOAD },
  { module: 'consul', in: ['packages/registry-consul/'], because: SLOW_TO_LOAD },
  {
    module: '@kubernetes/client-node',
    in: ['packages/registry-kubernetes/', 'packages/injector/'],
    because: SLOW_TO_LOAD,
  },
  { module: '@redis/client', in: ['packages/limiter-redis/'], because: SLOW_TO_LOAD },
  {
    module: 're2js',
    in: ['packages/core/src/routing/'],
    because: 'patterns from configuration are compiled in one place, which keeps them linear.',
  },
  { module: '@opentelemetry', in: ['packages/tracing-otel/'], because: SLOW_TO_LOAD },
  { module: 'hot-shots', in: ['packages/statsd/'], because: SLOW_TO_LOAD },
  { module: 'pprof-format', in: ['packages/profiling/'], because: SLOW_TO_LOAD },
  { module: 'koffi', in: ['packages/intercept/'], because: 'foreign functions stay behind one door.' },
];
