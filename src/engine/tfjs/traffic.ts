// Bytes that cross between the host and a device. A processor shares its memory: nothing crosses.
export interface Traffic {
  upload(bytes: number): void
  download(bytes: number): void
  readonly uploaded: number
  readonly downloaded: number
}

export function countTraffic(device: 'cpu' | 'cuda'): Traffic {
  let [uploaded, downloaded] = [0, 0]
  const counts = device !== 'cpu'
  return {
    upload(bytes) {
      if (counts) uploaded += bytes
    },
    download(bytes) {
      if (counts) downloaded += bytes
    },
    get uploaded() {
      return uploaded
    },
    get downloaded() {
      return downloaded
    },
  }
}
