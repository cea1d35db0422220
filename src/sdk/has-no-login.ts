/** Whether a URL names no user and password: a request cannot be made with them, and they would be seen wherever the URL is. */
export function hasNoLogin(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed === null || parsed.username + parsed.password === "";
}
