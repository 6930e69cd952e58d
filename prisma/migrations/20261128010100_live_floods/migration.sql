-- AlterTable
ALTER TABLE "FloodBucket" ADD COLUMN     "loud" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "FloodBucket_restUntil_idx" ON "FloodBucket"("restUntil");
