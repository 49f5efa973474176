export { jaegerExporter, otlpExporter, zipkinExporter } from './exporters.js';
