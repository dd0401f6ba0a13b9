// Package seal encrypts outputs and keeps keys: bytes in, bytes out.
package seal
