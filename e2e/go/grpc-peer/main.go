// The service of e2e/src/support/grpc/echo-service.ts by grpc-go: as a server, or as a client that checks one case.
//
//	grpc-peer server                       settings by NAME, PORT, MAX_CONNECTION_AGE_MS
//	grpc-peer health                       a server with the health service of grpc-go; settings by HEALTH, PORT
//	grpc-peer cases                        prints the titles of the cases
//	grpc-peer client CASE ADDRESS AUTHORITY APP
//
// ADDRESS is dialled and AUTHORITY named; APP is where the application itself listens, for the orders of a case.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) < 2 {
		fail("server, health, cases or client")
	}
	switch os.Args[1] {
	case "server":
		endWithInput()
		serve()
	case "health":
		endWithInput()
		serveHealth()
	case "cases":
		for _, one := range cases {
			fmt.Println(one.title)
		}
	case "client":
		if len(os.Args) != 6 {
			fail("client CASE ADDRESS AUTHORITY APP")
		}
		index, err := strconv.Atoi(os.Args[2])
		if err != nil || index < 0 || index >= len(cases) {
			fail("no such case: " + os.Args[2])
		}
		runCase(cases[index], os.Args[3], os.Args[4], os.Args[5])
	default:
		fail("server, health, cases or client")
	}
}

// The input ends with the process that started this one, however that ended: nothing stays behind.
func endWithInput() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
