/** Addresses of programs that we are not, and of files that must never be served: whoever asks is looking for a hole. */
const honey =
  /^\/(wp-|wordpress|xmlrpc|phpmyadmin|pma\/|adminer|cgi-bin\/|vendor\/phpunit|actuator(\/|$)|server-status|solr\/|boaform|hnap1|_ignition|telescope\/requests|debug\/default|manager\/html|owa\/|autodiscover)|\/\.(env|git|svn|hg|aws|ssh|htaccess|htpasswd|ds_store)(\b|$)|\.(php\d?|asp|aspx|jsp|cgi|bak|sql|pem)$|\/etc\/passwd/i

/** Asked for by browsers and crawlers that mean no harm. */
const harmless = /^\/(favicon\.ico|robots\.txt|sitemap\.xml|apple-touch-icon[\w-]*\.png|humans\.txt|\.well-known\/.*)$/i

/** What asking for an address that does not exist says about whoever asked. */
export function signOfUnknown(url: string): 'honey' | 'unknown_path' | undefined {
  const path = url.split('?', 1)[0] ?? ''
  if (harmless.test(path)) return undefined
  return honey.test(path) ? 'honey' : 'unknown_path'
}
