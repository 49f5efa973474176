export { otlpExporter, zipkinExporter } from './exporters.js';
