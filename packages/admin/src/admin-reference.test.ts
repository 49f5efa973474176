import { expect } from 'chai';
import { renderAdminReference } from './admin-reference.js';
import { ADMIN_ROUTES } from './routes.js';

describe('renderAdminReference', () => {
  it('has a chapter for every route, with its statuses', () => {
    const page = renderAdminReference();
    for (const { method, path, summary, statuses } of ADMIN_ROUTES) {
      const chapter = page.split(`\n## ${method} ${path}\n`)[1]?.split('\n## ')[0];
      expect(chapter, path).to.include(summary);
      for (const [status, meaning] of Object.entries(statuses)) expect(chapter).to.include(`- ${status}: ${meaning}`);
    }
  });
});
