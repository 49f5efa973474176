package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Far more than a case takes.
const longestCase = 20 * time.Second

type way struct {
	ctx context.Context
	// Through what is tested, and to the application itself.
	client, direct *grpc.ClientConn
}

type clientCase struct {
	title string
	run   func(way) error
}

func runCase(one clientCase, address, authority, app string) {
	ctx, cancel := context.WithTimeout(context.Background(), longestCase)
	defer cancel()
	client, direct := dial(address, authority), dial(app, app)
	defer client.Close()
	defer direct.Close()
	if err := one.run(way{ctx, client, direct}); err != nil {
		fail(err.Error())
	}
	fmt.Println("ok")
}

func dial(address, authority string) *grpc.ClientConn {
	connection, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority(authority),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		fail(err.Error())
	}
	return connection
}

func (w way) call(method string, message []byte, options ...grpc.CallOption) ([]byte, error) {
	var answer []byte
	err := w.client.Invoke(w.ctx, "/"+service+"/"+method, &message, &answer, options...)
	return answer, err
}

func (w way) with(pairs ...string) way {
	w.ctx = metadata.AppendToOutgoingContext(w.ctx, pairs...)
	return w
}

func (w way) stream(method string) (grpc.ClientStream, error) {
	both := grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	return w.client.NewStream(w.ctx, &both, "/"+service+"/"+method)
}

func (w way) release() error {
	var nothing, answer []byte
	return w.direct.Invoke(w.ctx, "/"+service+"/Release", &nothing, &answer)
}

func (w way) countTo(request string) (grpc.ClientStream, error) {
	call, err := w.stream("Count")
	if err != nil {
		return nil, err
	}
	message := []byte(request)
	if err := call.SendMsg(&message); err != nil {
		return nil, err
	}
	return call, call.CloseSend()
}

var cases = []clientCase{
	{"a unary call, with metadata of text and of bytes in both directions, in head and trailers", func(w way) error {
		binaryValue := string(randomBytes(300))
		var head, trailers metadata.MD
		w = w.with("echo-text", "a b; c", "echo-bytes-bin", binaryValue, "trail-text", "z", "trail-bytes-bin", binaryValue)
		answer, err := w.call("Say", []byte("hello"), grpc.Header(&head), grpc.Trailer(&trailers))
		if err != nil {
			return err
		}
		return all(
			same("message", string(answer), "hello"),
			same("head", head.Get("echo-text"), []string{"a b; c"}),
			same("bytes in the head", head.Get("echo-bytes-bin"), []string{binaryValue}),
			same("trailers", trailers.Get("trail-text"), []string{"z"}),
			same("bytes in the trailers", trailers.Get("trail-bytes-bin"), []string{binaryValue}))
	}},
	{"an empty message", func(w way) error {
		answer, err := w.call("Say", nil)
		if err != nil {
			return err
		}
		return same("length", len(answer), 0)
	}},
	{"messages that the client has compressed", func(w way) error {
		zeros := make([]byte, 1<<20)
		answer, err := w.call("Say", zeros, grpc.UseCompressor(gzip.Name))
		if err != nil {
			return err
		}
		return same("message", bytes.Equal(answer, zeros), true)
	}},
	{"an error in trailers only, with its detail and trailers as they were sent", func(w way) error {
		var trailers metadata.MD
		_, err := w.with("fail", "9", "trail-why", "because").call("Say", nil, grpc.Trailer(&trailers))
		return all(
			same("code", status.Code(err), codes.FailedPrecondition),
			same("detail", status.Convert(err).Message(), failureDetail),
			same("trailers", trailers.Get("trail-why"), []string{"because"}))
	}},
	{"an error after the head of the answer", func(w way) error {
		var head, trailers metadata.MD
		w = w.with("fail", "15", "fail-late", "1", "trail-why", "because")
		_, err := w.call("Say", nil, grpc.Header(&head), grpc.Trailer(&trailers))
		return all(
			same("code", status.Code(err), codes.DataLoss),
			same("detail", status.Convert(err).Message(), failureDetail),
			same("fields of the head", len(head.Get("served-by")), 1),
			same("trailers", trailers.Get("trail-why"), []string{"because"}))
	}},
	{"every status that there is, as it was sent", func(w way) error {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			_, err := w.with("fail", fmt.Sprint(uint32(code))).call("Say", nil)
			if problem := same("code", status.Code(err), code); problem != nil {
				return problem
			}
		}
		return nil
	}},
	{"the error of the application for a method that it does not have", func(w way) error {
		_, err := w.call("Nothing", nil)
		return same("code", status.Code(err), codes.Unimplemented)
	}},
	{"server streaming: the first message arrives before the second is sent", func(w way) error {
		call, err := w.with("stepwise", "1", "trail-end", "yes").countTo("3,100")
		if err != nil {
			return err
		}
		for number := range 3 {
			var message []byte
			if err := call.RecvMsg(&message); err != nil {
				return err
			}
			if problem := same("number", int(binary.BigEndian.Uint32(message)), number); problem != nil {
				return problem
			}
			if number < 2 {
				if err := w.release(); err != nil {
					return err
				}
			}
		}
		return all(same("end", call.RecvMsg(new([]byte)), io.EOF), same("trailers", call.Trailer().Get("trail-end"), []string{"yes"}))
	}},
	{"server streaming: 2,000 messages in their order, on ten calls at once", func(w way) error {
		return together(10, func(int) error {
			call, err := w.countTo("2000,1000")
			if err != nil {
				return err
			}
			for number := 0; ; number++ {
				var message []byte
				if err := call.RecvMsg(&message); err == io.EOF {
					return same("messages", number, 2000)
				} else if err != nil {
					return err
				}
				if problem := same("number", int(binary.BigEndian.Uint32(message)), number); problem != nil {
					return problem
				}
			}
		})
	}},
	{"client streaming: what was sent is summed up", func(w way) error {
		call, err := w.with("trail-end", "yes").stream("Sum")
		if err != nil {
			return err
		}
		for number := range 100 {
			message := make([]byte, number)
			if err := call.SendMsg(&message); err != nil {
				return err
			}
		}
		if err := call.CloseSend(); err != nil {
			return err
		}
		var answer []byte
		if err := call.RecvMsg(&answer); err != nil {
			return err
		}
		return all(same("sum", string(answer), "100,4950"), same("end", call.RecvMsg(new([]byte)), io.EOF),
			same("trailers", call.Trailer().Get("trail-end"), []string{"yes"}))
	}},
	{"client streaming: an answer before the request has ended", func(w way) error {
		call, err := w.with("early", "1").stream("Sum")
		if err != nil {
			return err
		}
		message := make([]byte, 7)
		if err := call.SendMsg(&message); err != nil {
			return err
		}
		var answer []byte
		if err := call.RecvMsg(&answer); err != nil {
			return err
		}
		return all(same("sum", string(answer), "1,7"), same("end", call.RecvMsg(new([]byte)), io.EOF))
	}},
	{"both ways: each message is answered before the next is sent", func(w way) error {
		call, err := w.with("trail-end", "yes").stream("Chat")
		if err != nil {
			return err
		}
		for _, word := range []string{"one", "two", "three"} {
			message, answer := []byte(word), []byte(nil)
			if err := call.SendMsg(&message); err != nil {
				return err
			}
			if err := call.RecvMsg(&answer); err != nil {
				return err
			}
			if problem := same("answer", string(answer), word); problem != nil {
				return problem
			}
		}
		_ = call.CloseSend()
		return all(same("end", call.RecvMsg(new([]byte)), io.EOF), same("trailers", call.Trailer().Get("trail-end"), []string{"yes"}))
	}},
	{"both ways: messages of 10 MB in both directions at once", func(w way) error {
		call, err := w.stream("Chat")
		if err != nil {
			return err
		}
		sent := [][]byte{randomBytes(10 << 20), randomBytes(10 << 20), randomBytes(10 << 20)}
		failed := make(chan error, 1)
		go func() {
			for _, message := range sent {
				if err := call.SendMsg(&message); err != nil {
					failed <- err
					return
				}
			}
			failed <- call.CloseSend()
		}()
		for _, message := range sent {
			var answer []byte
			if err := call.RecvMsg(&answer); err != nil {
				return err
			}
			if !bytes.Equal(answer, message) {
				return fmt.Errorf("a message of %d bytes came back as another one of %d", len(message), len(answer))
			}
		}
		return all(<-failed, same("end", call.RecvMsg(new([]byte)), io.EOF))
	}},
	{"a deadline: it ends on time at the client", func(w way) error {
		ctx, cancel := context.WithTimeout(w.ctx, 300*time.Millisecond)
		defer cancel()
		w.ctx = ctx
		_, err := w.call("Hold", nil)
		return same("code", status.Code(err), codes.DeadlineExceeded)
	}},
	{"a thousand calls at once over one connection", func(w way) error {
		return together(1000, func(number int) error {
			answer, err := w.call("Say", fmt.Append(nil, "message ", number))
			if err != nil {
				return err
			}
			return same("message", string(answer), fmt.Sprint("message ", number))
		})
	}},
	{"five thousand calls one after the other, in sixteen rows", func(w way) error {
		return together(16, func(int) error {
			for range 312 {
				if _, err := w.call("Say", []byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
	}},
}

func together(count int, run func(number int) error) error {
	problems := make([]error, count)
	var group sync.WaitGroup
	for number := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			problems[number] = run(number)
		}()
	}
	group.Wait()
	return all(problems...)
}

func randomBytes(count int) []byte {
	made := make([]byte, count)
	_, _ = rand.Read(made)
	return made
}

func same[T any](what string, got, wanted T) error {
	if fmt.Sprintf("%v", got) == fmt.Sprintf("%v", wanted) {
		return nil
	}
	return fmt.Errorf("%s: expected %.300v, but got %.300v", what, wanted, got)
}

// all gives the first problem.
func all(problems ...error) error {
	index := slices.IndexFunc(problems, func(problem error) bool { return problem != nil })
	if index < 0 {
		return nil
	}
	return problems[index]
}
