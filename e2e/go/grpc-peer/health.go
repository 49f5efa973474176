package main

import (
	"fmt"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// The health service that programs with grpc-go have. HEALTH lists services with their statuses: shop.Orders=SERVING,shop.Stock=NOT_SERVING;
// the server as a whole is SERVING unless it says "=NOT_SERVING".
func serveHealth() {
	statuses := health.NewServer()
	for _, entry := range strings.Split(os.Getenv("HEALTH"), ",") {
		if service, status, found := strings.Cut(entry, "="); found {
			value := grpc_health_v1.HealthCheckResponse_ServingStatus_value[status]
			statuses.SetServingStatus(service, grpc_health_v1.HealthCheckResponse_ServingStatus(value))
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fail(err.Error())
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, statuses)
	fmt.Println("health is listening")
	if err := server.Serve(listener); err != nil {
		fail(err.Error())
	}
}
