package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// partBytes is how long a part of a backup is, well below what clients take in one message.
const partBytes = 1 << 20

// Backup sends a copy of the database.
func (s *Server) Backup(_ *behalfv1.BackupRequest, stream behalfv1.StoreService_BackupServer) (err error) {
	ctx := stream.Context()
	file, err := s.copier.Backup(ctx, func(done, total int64) {
		// A client that is gone is noticed by the context.
		_ = stream.Send(&behalfv1.BackupResponse{Message: &behalfv1.BackupResponse_Progress{
			Progress: &behalfv1.BackupProgress{Done: done, Total: total},
		}})
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, sum, err := sendFile(file, stream)
	if err != nil {
		return err
	}
	s.logger.WarnContext(ctx, "backup taken", "bytes", size, "by", caller.From(ctx).Name)
	return stream.Send(&behalfv1.BackupResponse{Message: &behalfv1.BackupResponse_End{
		End: &behalfv1.BackupEnd{Size: size, Sha256: sum},
	}})
}

func sendFile(file io.Reader, stream behalfv1.StoreService_BackupServer) (size int64, sum []byte, err error) {
	hash := sha256.New()
	for {
		part := make([]byte, partBytes) // the message keeps it
		n, err := io.ReadFull(file, part)
		if n > 0 {
			_, _ = hash.Write(part[:n]) // it never fails
			size += int64(n)
			if err := stream.Send(&behalfv1.BackupResponse{Message: &behalfv1.BackupResponse_Part{Part: part[:n]}}); err != nil {
				return size, nil, err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return size, hash.Sum(nil), nil
		case err != nil:
			return size, nil, fmt.Errorf("read the copy: %w", err)
		}
	}
}
