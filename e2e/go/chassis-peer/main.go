// Command chassis-peer is a service written with go-chassis: it registers in service-center by the client of go-chassis, is called by others
// and calls others by name. Its configuration is a folder conf/ below $CHASSIS_HOME, as every program of go-chassis has it.
//
//	GET /sayhello/{userid}  greets, as the REST server in the examples of go-chassis does
//	GET /whoami             says where it listens, as JSON
//	GET /seen               the header fields that came, and who calls according to go-chassis, as JSON
//	GET /call?url=http://service/path
//	                        calls another service by the REST invoker of go-chassis; status and body of its answer, or the error, as JSON
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/go-chassis/go-chassis/v2"
	_ "github.com/go-chassis/go-chassis/v2/bootstrap"
	"github.com/go-chassis/go-chassis/v2/client/rest"
	"github.com/go-chassis/go-chassis/v2/core"
	"github.com/go-chassis/go-chassis/v2/core/common"
	"github.com/go-chassis/go-chassis/v2/server/restful"
)

// An answer of a test is a few hundred bytes.
const maxAnswer = 1 << 20

type peer struct{}

type seen struct {
	// Source is who calls, as the server of go-chassis reads it for its own policies.
	Source string      `json:"source"`
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
}

type answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error,omitempty"`
}

// SayHello greets.
func (*peer) SayHello(b *restful.Context) {
	_ = b.Write([]byte(fmt.Sprintf("user %s", b.ReadPathParameter("userid"))))
}

// Seen says what came.
func (*peer) Seen(b *restful.Context) {
	request := b.ReadRequest()
	_ = b.WriteJSON(seen{
		Source: common.GetXCSEContext(common.HeaderSourceName, request),
		Host:   request.Host,
		Header: request.Header,
	}, "application/json")
}

// WhoAmI says where it listens.
func (*peer) WhoAmI(b *restful.Context) {
	address := b.ReadRequest().Context().Value(http.LocalAddrContextKey).(net.Addr)
	_ = b.WriteJSON(map[string]string{"name": address.String()}, "application/json")
}

// Call calls another service.
func (*peer) Call(b *restful.Context) {
	_ = b.WriteJSON(call(b, b.ReadQueryParameter("url")), "application/json")
}

func call(b *restful.Context, url string) answer {
	request, err := rest.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return answer{Error: err.Error()}
	}
	response, err := core.NewRestInvoker().ContextDo(b.Ctx, request)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{Status: response.StatusCode, Error: err.Error()}
	}
	return answer{Status: response.StatusCode, Body: string(body)}
}

// URLPatterns names the paths.
func (p *peer) URLPatterns() []restful.Route {
	ok := []*restful.Returns{{Code: http.StatusOK}}
	return []restful.Route{
		{Method: http.MethodGet, Path: "/sayhello/{userid}", ResourceFunc: p.SayHello, Returns: ok},
		{Method: http.MethodGet, Path: "/whoami", ResourceFunc: p.WhoAmI, Returns: ok},
		{Method: http.MethodGet, Path: "/seen", ResourceFunc: p.Seen, Returns: ok},
		{Method: http.MethodGet, Path: "/call", ResourceFunc: p.Call, Returns: ok},
	}
}

func main() {
	// The input ends with the process that started this one, however that ended: nothing stays behind.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	chassis.RegisterSchema("rest", &peer{})
	if err := chassis.Init(); err != nil {
		log.Fatalf("init: %v", err)
	}
	if err := chassis.Run(); err != nil {
		log.Fatalf("run: %v", err)
	}
}
