/**
 * Batches that may be without an answer. The library for Zipkin waits for ever: a collector that takes connections and says nothing must
 * not cost one more of them with each batch.
 */
export const MAX_UNANSWERED = 4;
