package main

import "fmt"

// rawCodec passes messages as they are. It calls itself proto, so that the content type is the usual one.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("not a message: %T", v)
	}
	return *message, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("not a message: %T", v)
	}
	*message = append([]byte(nil), data...)
	return nil
}
