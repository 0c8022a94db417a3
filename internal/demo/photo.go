package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"suar/internal/telegramtest"
)

// sendPhoto sends an invented photo: a sky over a field.
func sendPhoto(person *telegramtest.Person, caption string) error {
	const width, height = 320, 240
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		shade := uint8(y * 100 / height)
		line := color.RGBA{R: 120 + shade, G: 160 + shade/2, B: 220, A: 255}
		if y > height*2/3 {
			line = color.RGBA{R: 90, G: 150 - shade, B: 80, A: 255}
		}
		for x := range width {
			picture.SetRGBA(x, y, line)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		return fmt.Errorf("demo: draw a photo: %w", err)
	}
	person.SendFile(telegramtest.File{Kind: telegramtest.Photo, Content: out.Bytes()}, caption)
	return nil
}
