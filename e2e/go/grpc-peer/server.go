package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const service = "mesher.test.Echo"

// Detail of the statuses that `fail` asks for; see echo-service.ts.
const failureDetail = "as asked: 100 % ✓"

// Largest message: three times what a case sends.
const maxMessage = 32 << 20

type echoServer struct {
	name string
	lock sync.Mutex
	// Closed and replaced by Release.
	gate chan struct{}
}

func serve() {
	echo := &echoServer{name: os.Getenv("NAME"), gate: make(chan struct{})}
	options := []grpc.ServerOption{grpc.ForceServerCodec(rawCodec{}), grpc.MaxRecvMsgSize(maxMessage)}
	if age := os.Getenv("MAX_CONNECTION_AGE_MS"); age != "" {
		ms, err := strconv.Atoi(age)
		if err != nil {
			fail(err.Error())
		}
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: time.Duration(ms) * time.Millisecond}))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fail(err.Error())
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Say", echo.say),
			unary("Hold", echo.hold),
			unary("Release", echo.release),
		},
		Streams: []grpc.StreamDesc{
			{StreamName: "Count", ServerStreams: true, Handler: stream(echo.count)},
			{StreamName: "Sum", ClientStreams: true, Handler: stream(echo.sum)},
			{StreamName: "Chat", ClientStreams: true, ServerStreams: true, Handler: stream(echo.chat)},
		},
	}, echo)
	fmt.Printf("%s is listening\n", echo.name)
	if err := server.Serve(listener); err != nil {
		fail(err.Error())
	}
}

func unary(name string, answer func(context.Context, []byte) ([]byte, error)) grpc.MethodDesc {
	handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		message, err := answer(ctx, request)
		return &message, err
	}
	return grpc.MethodDesc{MethodName: name, Handler: handler}
}

func stream(handle func(grpc.ServerStream, metadata.MD) error) grpc.StreamHandler {
	return func(_ any, call grpc.ServerStream) error {
		given, _ := metadata.FromIncomingContext(call.Context())
		call.SetTrailer(chosen(given, "trail-"))
		return handle(call, given)
	}
}

func (echo *echoServer) say(ctx context.Context, message []byte) ([]byte, error) {
	given, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetTrailer(ctx, chosen(given, "trail-"))
	failure := given.Get("fail")
	if len(failure) == 0 || len(given.Get("fail-late")) > 0 {
		if err := grpc.SendHeader(ctx, echo.head(given)); err != nil {
			return nil, err
		}
	}
	if len(failure) == 0 {
		return message, nil
	}
	code, err := strconv.Atoi(failure[0])
	if err != nil {
		return nil, err
	}
	return nil, status.Error(codes.Code(code), failureDetail)
}

func (echo *echoServer) hold(ctx context.Context, message []byte) ([]byte, error) {
	gate := echo.currentGate()
	fmt.Println("holding")
	select {
	case <-gate:
		return message, nil
	case <-ctx.Done():
		fmt.Println("cancelled")
		return nil, ctx.Err()
	}
}

func (echo *echoServer) release(context.Context, []byte) ([]byte, error) {
	echo.lock.Lock()
	defer echo.lock.Unlock()
	close(echo.gate)
	echo.gate = make(chan struct{})
	return nil, nil
}

func (echo *echoServer) currentGate() chan struct{} {
	echo.lock.Lock()
	defer echo.lock.Unlock()
	return echo.gate
}

func (echo *echoServer) count(call grpc.ServerStream, given metadata.MD) error {
	var request []byte
	if err := call.RecvMsg(&request); err != nil {
		return err
	}
	total, size, _ := strings.Cut(string(request), ",")
	messages, err := strconv.Atoi(total)
	if err != nil {
		return err
	}
	bytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	if err := call.SendHeader(echo.head(given)); err != nil {
		return err
	}
	for number := 0; number < messages; number++ {
		gate := echo.currentGate()
		message := make([]byte, bytes)
		binary.BigEndian.PutUint32(message, uint32(number))
		if err := call.SendMsg(&message); err != nil {
			return err
		}
		if len(given.Get("stepwise")) > 0 && number < messages-1 {
			select {
			case <-gate:
			case <-call.Context().Done():
				return call.Context().Err()
			}
		}
	}
	return nil
}

func (echo *echoServer) sum(call grpc.ServerStream, given metadata.MD) error {
	if err := call.SendHeader(echo.head(given)); err != nil {
		return err
	}
	messages, bytes := 0, 0
	for {
		var message []byte
		err := call.RecvMsg(&message)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		messages++
		bytes += len(message)
		fmt.Printf("got %d\n", messages)
		if len(given.Get("early")) > 0 {
			break
		}
	}
	answer := []byte(fmt.Sprintf("%d,%d", messages, bytes))
	return call.SendMsg(&answer)
}

func (echo *echoServer) chat(call grpc.ServerStream, given metadata.MD) error {
	if err := call.SendHeader(echo.head(given)); err != nil {
		return err
	}
	for number := 1; ; number++ {
		var message []byte
		err := call.RecvMsg(&message)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Printf("got %d\n", number)
		if err := call.SendMsg(&message); err != nil {
			return err
		}
	}
}

func (echo *echoServer) head(given metadata.MD) metadata.MD {
	head := chosen(given, "echo-")
	head.Set("served-by", echo.name)
	return head
}

// chosen gives the metadata whose names begin so.
func chosen(given metadata.MD, prefix string) metadata.MD {
	found := metadata.MD{}
	for name, values := range given {
		if strings.HasPrefix(name, prefix) {
			found[name] = values
		}
	}
	return found
}
