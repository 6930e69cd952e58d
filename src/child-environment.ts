/**
 * What programs that we start get to see of our environment. Ours holds the bot's token, passwords and addresses, and
 * whatever the operator's shell exported; a program may leak it, write it into a crash report or be steered by it
 * (`FFREPORT`, `TAR_OPTIONS`, `NODE_OPTIONS`, `PGDATA`). So the rest is left out, not the known secrets.
 */

/** Where programs and their libraries lie, who we are, our language and time, where temporary files go. */
const everywhere =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH)$/
const windows =
  /^(PATHEXT|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|TEMP|TMP|USERNAME|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|PUBLIC|(COMMON)?PROGRAM(FILES|W6432)(\(X86\))?|PROCESSOR_ARCHITECTURE|NUMBER_OF_PROCESSORS)$/
/** How a program finds the person's screen and browser. */
const desktop =
  /^(DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|GNOME_DESKTOP_SESSION_ID|KDE_FULL_SESSION|KDE_SESSION_VERSION|BROWSER|WSL_DISTRO_NAME|WSL_INTEROP)$/

/** The environment for a program; `screen`: it opens something on the person's screen. */
export function childEnvironment({ screen = false } = {}): NodeJS.ProcessEnv {
  const isWindows = process.platform === 'win32'
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => {
      // Windows does not tell small letters from capitals.
      const name = isWindows ? key.toUpperCase() : key
      return everywhere.test(name) || (isWindows && windows.test(name)) || (screen && desktop.test(name))
    }),
  )
}
