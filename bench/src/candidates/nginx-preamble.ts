/**
 * The part of nginx.conf that upstream and proxy share: one process in the foreground, which is the pid that was started.
 *
 * @param connections how many connections nginx allocates for at start (about 0.4 KB each)
 */
export function nginxPreamble(folder: string, connections: number, modules: readonly string[] = []): string {
  const loads = modules.map((path) => `load_module ${path};\n`).join('');
  return `${loads}daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections ${connections}; }
`;
}

/** nginx's temporary folders, which by default lie where only root may write. */
export function nginxTempPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
}

/** Arguments: no log file of the system is opened, not even before the configuration is read. */
export function nginxArguments(folder: string, config: string): string[] {
  return ['-e', 'stderr', '-p', folder, '-c', config];
}
