// c8 measures this process. A `mesher` that a test starts must run as it does for users: collecting coverage makes a process
// slower and bigger, and each would leave a file of many megabytes to merge.
delete process.env.NODE_V8_COVERAGE;
