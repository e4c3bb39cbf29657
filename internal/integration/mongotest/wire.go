package mongotest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.mongodb.org/mongo-driver/bson"
)

const (
	opReply = 1    // answer to the legacy handshake
	opQuery = 2004 // the legacy handshake, the only use left for it
	opMsg   = 2013 // everything else

	headerSize     = 16
	maxMessageSize = 48_000_000
	maxDepth       = 200 // MongoDB's limit; also keeps the decoder's recursion shallow

	flagChecksum   = 1 << 0
	flagMoreToCome = 1 << 1 // the client wants no reply (w: 0)
	requiredFlags  = 0xFFFF // an unknown flag among these is an error
)

var errMalformed = errors.New("malformed message")

// message is one request as it came over the wire.
type message struct {
	id      uint32
	opcode  uint32
	noReply bool
	body    bson.D // document sequences are merged in as arrays
}

// readMessage reads one message. Its error is final for the connection: after
// a malformed message nobody knows where the next one begins.
func readMessage(r io.Reader) (message, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return message{}, err
	}
	size := binary.LittleEndian.Uint32(header[0:])
	if size < headerSize || size > maxMessageSize {
		return message{}, fmt.Errorf("%w: length %d", errMalformed, size)
	}
	// Read what comes rather than allocate what the header claims.
	payload, err := io.ReadAll(io.LimitReader(r, int64(size-headerSize)))
	if err != nil {
		return message{}, err
	}
	if len(payload) != int(size-headerSize) {
		return message{}, io.ErrUnexpectedEOF
	}
	m := message{
		id:     binary.LittleEndian.Uint32(header[4:]),
		opcode: binary.LittleEndian.Uint32(header[12:]),
	}
	err = m.parse(payload) // before m is copied into the result
	return m, err
}

// parse fills in the message from what follows its header.
func (m *message) parse(payload []byte) (err error) {
	switch m.opcode {
	case opMsg:
		err = m.parseMsg(payload)
	case opQuery:
		m.body, err = parseQuery(payload)
	default:
		err = fmt.Errorf("%w: opcode %d", errMalformed, m.opcode)
	}
	if err == nil && len(m.body) == 0 {
		err = fmt.Errorf("%w: no command", errMalformed)
	}
	return err
}

func (m *message) parseMsg(b []byte) error {
	if len(b) < 4 {
		return errMalformed
	}
	flags := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if unknown := flags & requiredFlags &^ (flagChecksum | flagMoreToCome); unknown != 0 {
		return fmt.Errorf("%w: flags %x", errMalformed, unknown)
	}
	if flags&flagChecksum != 0 {
		if len(b) < 4 {
			return errMalformed
		}
		b = b[:len(b)-4]
	}
	m.noReply = flags&flagMoreToCome != 0
	return m.parseSections(b)
}

func (m *message) parseSections(b []byte) error {
	var body, sequences bson.D
	for len(b) > 0 {
		kind := b[0]
		section, rest, err := cut(b[1:])
		if err != nil {
			return err
		}
		b = rest
		switch {
		case kind == 0 && body == nil:
			body, err = decode(section)
		case kind == 1:
			var e bson.E
			e, err = parseSequence(section[4:])
			sequences = append(sequences, e)
		default:
			err = fmt.Errorf("%w: section %d", errMalformed, kind)
		}
		if err != nil {
			return err
		}
	}
	m.body = body
	if len(body) > 0 {
		m.body = append(m.body, sequences...)
	}
	return nil
}

// parseSequence reads a document sequence: its name, then documents to the end.
func parseSequence(b []byte) (bson.E, error) {
	name, b, ok := bytes.Cut(b, []byte{0})
	if !ok {
		return bson.E{}, errMalformed
	}
	docs := bson.A{}
	for len(b) > 0 {
		one, rest, err := cut(b)
		if err != nil {
			return bson.E{}, err
		}
		d, err := decode(one)
		if err != nil {
			return bson.E{}, err
		}
		docs = append(docs, d)
		b = rest
	}
	return bson.E{Key: string(name), Value: docs}, nil
}

// parseQuery reads flags, a collection name, two numbers and the command.
func parseQuery(b []byte) (bson.D, error) {
	if len(b) < 4 {
		return nil, errMalformed
	}
	_, b, ok := bytes.Cut(b[4:], []byte{0})
	if !ok || len(b) < 8 {
		return nil, errMalformed
	}
	one, _, err := cut(b[8:])
	if err != nil {
		return nil, err
	}
	return decode(one)
}

// cut takes from b one item which begins with its own length.
func cut(b []byte) (item, rest []byte, err error) {
	if len(b) < 5 {
		return nil, nil, errMalformed
	}
	size := binary.LittleEndian.Uint32(b)
	if size < 5 || uint64(size) > uint64(len(b)) {
		return nil, nil, fmt.Errorf("%w: item of %d bytes in %d", errMalformed, size, len(b))
	}
	return b[:size], b[size:], nil
}

func decode(raw bson.Raw) (bson.D, error) {
	if err := checkDepth(raw, maxDepth); err != nil {
		return nil, err
	}
	d := bson.D{}
	if err := bson.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return d, nil
}

// checkDepth refuses deep nesting before a recursive decoder sees it: running
// out of stack cannot be recovered from.
func checkDepth(raw bson.Raw, left int) error {
	if left == 0 {
		return fmt.Errorf("%w: nested too deeply", errMalformed)
	}
	elements, err := raw.Elements()
	if err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	for _, e := range elements {
		if inner := nested(e.Value()); inner != nil {
			if err := checkDepth(inner, left-1); err != nil {
				return err
			}
		}
	}
	return nil
}

func nested(v bson.RawValue) bson.Raw {
	switch v.Type {
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		return v.Value
	case bson.TypeCodeWithScope:
		_, scope, _ := v.CodeWithScopeOK()
		return scope
	}
	return nil
}

// encodeReply makes the message which answers the request.
func encodeReply(request message, id uint32, reply bson.D) ([]byte, error) {
	body, err := bson.Marshal(reply)
	if err != nil {
		return nil, err
	}
	opcode, prefix := uint32(opMsg), make([]byte, 5)
	if request.opcode == opQuery {
		opcode, prefix = opReply, make([]byte, 20)
		prefix[16] = 1 // one document
	}
	size := headerSize + len(prefix) + len(body)
	out := make([]byte, 0, size)
	for _, n := range []uint32{uint32(size), id, request.id, opcode} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return append(append(out, prefix...), body...), nil
}
