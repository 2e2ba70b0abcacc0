"""A process that gives up all it could do harm with: from then on the kernel lets it compute, read files and write to what it has open.

It opens no connection, writes no file, starts and signals no process, and can undo none of it. Held by a filter of system calls (seccomp,
Linux 3.5 and later, see `Documentation/userspace-api/seccomp_filter.rst` of the kernel), which needs no privilege and holds for root too.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from typing import NamedTuple

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_SET_SIGNAL_OF_PARENTS_DEATH, _SIGKILL = 1, 9
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
"""What a filter answers: do it, refuse it with EPERM, end the process."""
_NUMBER_AT, _MACHINE_AT, _FLAGS_OF_OPENAT_AT = 0, 4, 32
"""Where a filter finds the number of the call, the machine it was made for, and the third argument, which are the flags of openat."""


class _Machine(NamedTuple):
    """A machine's name for the kernel, its number of openat, and the numbers of what may be called freely."""

    audit_name: int
    openat: int
    allowed: tuple[int, ...]


# From the kernel's tables arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h: reading and looking at files,
# writing to what is open, memory, time, waiting, the process's own ids, signals of its own, and its end.
_MACHINES = {
    "x86_64": _Machine(0xC000003E, 257, (
        0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 21, 23, 24, 25, 28, 32, 33, 35, 39, 60, 63, 79, 89, 96, 97, 98, 99, 100,
        102, 104, 107, 108, 131, 186, 202, 204, 217, 219, 228, 229, 230, 231, 262, 267, 269, 270, 271, 273, 292, 318, 324, 332, 334, 439,
    )),
    "aarch64": _Machine(0xC00000B7, 56, (
        17, 23, 24, 48, 57, 61, 62, 63, 64, 65, 66, 67, 72, 73, 78, 79, 80, 93, 94, 98, 99, 101, 113, 114, 115, 123, 124, 128, 132, 134, 135, 139,
        153, 160, 165, 169, 172, 174, 175, 176, 177, 178, 179, 214, 215, 216, 222, 226, 233, 278, 283, 291, 293, 439,
    )),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine() -> bool:
    """Confine this process for good, before it runs code of somebody's; False where the system has no way to.

    It ends too when the thread that started it does.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    instructions = _filter(machine)
    program = _Program(len(instructions) // 8, instructions)
    call = ctypes.CDLL(None).prctl
    call.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    call(_SET_SIGNAL_OF_PARENTS_DEATH, _SIGKILL, 0, 0, 0)
    address = ctypes.addressof(program)
    return bool(call(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and call(_SET_SECCOMP, _FILTER_MODE, address, 0, 0) == 0)


def _filter(machine: _Machine) -> bytes:
    """The instructions: a call for another machine ends the process, openat is for reading, what is not listed is refused."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    steps = [
        (_LOAD, 0, 0, _MACHINE_AT), (_IF_EQUAL, 1, 0, machine.audit_name), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT), (_IF_EQUAL, 0, 4, machine.openat),
        (_LOAD, 0, 0, _FLAGS_OF_OPENAT_AT), (_IF_ANY_BIT, 0, 1, writing), (_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ALLOW),
    ]  # fmt: skip
    for number in machine.allowed:
        steps += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in (*steps, (_RETURN, 0, 0, _DENY)))
