// Command service-center is the server of Apache ServiceComb, as its own cmd/scserver puts it together, but built in a module of ours: go
// install refuses a module whose go.mod replaces others.
package main

import (
	// Reads conf/app.conf below APP_ROOT; the packages of bootstrap find their settings there.
	_ "github.com/apache/servicecomb-service-center/server/init"

	_ "github.com/apache/servicecomb-service-center/server/bootstrap"

	"github.com/apache/servicecomb-service-center/server"
)

func main() {
	server.Run()
}
